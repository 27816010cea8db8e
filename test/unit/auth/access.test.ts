import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessOf, FULL_ACCESS, NO_ACCESS } from '../../../src/auth/index.ts';
import { parsePermission, SYSTEM_RESOURCES } from '../../../src/shared/token-permissions.ts';

const access = (...texts: string[]) => accessOf(texts.map(parsePermission));
const NAMES = ['a', 'a/week', 'ab', 'A', 'b', '_internal', '*', '', 'a/', '/a', 'a-20260101T000000'];

describe('access', () => {
  it('of permissions is what they name, and the policies of databases', () => {
    const both = access('db:a:read', 'db:b:write');
    assert.deepEqual(
      NAMES.filter((name) => both.mayRead(name)),
      ['a', 'a/week', 'a/'],
    );
    assert.deepEqual(
      NAMES.filter((name) => both.mayWrite(name)),
      ['b'],
    );
    assert.deepEqual(
      NAMES.filter((name) => access('db:a/week:read').mayRead(name)),
      ['a/week'],
    );
    const all = access('db:*:read');
    assert.deepEqual(
      NAMES.filter((name) => !all.mayRead(name)),
      ['_internal'],
    );
    assert.deepEqual([all.readsAll, all.isAdmin, NAMES.some((name) => all.mayWrite(name))], [false, false, false]);
    assert.ok(access('db:*:read', 'db:_internal:read').mayRead('_internal'));
    assert.deepEqual(
      SYSTEM_RESOURCES.filter((name) => access('system:health,ping:read').maySee(name)),
      ['health', 'ping'],
    );
    assert.ok(SYSTEM_RESOURCES.every((name) => access('system:*:read').maySee(name)));
    assert.ok(!SYSTEM_RESOURCES.some((name) => all.maySee(name)));
    assert.ok(!NAMES.some((name) => access('system:*:read').mayRead(name)));
  });

  it('without permissions is that of an admin, with an empty list it is none', () => {
    assert.equal(accessOf(undefined), FULL_ACCESS);
    assert.ok(
      FULL_ACCESS.isAdmin && FULL_ACCESS.readsAll && NAMES.every((name) => FULL_ACCESS.mayRead(name) && FULL_ACCESS.mayWrite(name)),
    );
    for (const none of [accessOf([]), NO_ACCESS]) {
      assert.ok(!none.isAdmin && !none.readsAll && !NAMES.some((name) => none.mayRead(name) || none.mayWrite(name)));
      assert.ok(!SYSTEM_RESOURCES.some((name) => none.maySee(name)));
    }
  });

  it('is narrowed once, of admin tokens too', () => {
    for (const whole of [FULL_ACCESS, access('db:a:read,write', 'system:*:read')]) {
      assert.equal(whole.reading, whole.reading);
      assert.equal(whole.writing, whole.writing);
      assert.deepEqual([whole.reading.isAdmin, whole.reading.mayRead('a'), whole.reading.mayWrite('a')], [false, true, false]);
      assert.deepEqual([whole.writing.isAdmin, whole.writing.mayRead('a'), whole.writing.mayWrite('a')], [false, false, true]);
      assert.deepEqual([whole.reading.maySee('health'), whole.writing.maySee('health')], [true, false]);
    }
  });
});
