import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkPermissions, parsePermission, permissionsText, type TokenPermission } from '../../../src/shared/token-permissions.ts';

describe('permissions of tokens', () => {
  it('are read and printed in one form', () => {
    for (const [text, permission, printed = text] of [
      ['db:a:read', { resource: 'db', names: ['a'], actions: ['read'] }],
      ['db:a,b/week,_internal:read', { resource: 'db', names: ['a', 'b/week', '_internal'], actions: ['read'] }],
      ['db:*:write,read', { resource: 'db', names: ['*'], actions: ['read', 'write'] }, 'db:*:read,write'],
      ['db:a,a:*', { resource: 'db', names: ['a'], actions: ['read', 'write'] }, 'db:a:read,write'],
      ['system:*:*', { resource: 'system', names: ['*'], actions: ['read'] }, 'system:*:read'],
      ['system:health,ping:read', { resource: 'system', names: ['health', 'ping'], actions: ['read'] }],
    ] as const satisfies readonly (readonly [string, TokenPermission, string?])[]) {
      const parsed = parsePermission(text);
      assert.deepEqual(parsed, permission, text);
      assert.equal(permissionsText([parsed]), printed);
      assert.deepEqual(parsePermission(printed), parsed);
    }
    assert.equal(permissionsText([parsePermission('db:a:read'), parsePermission('system:*:read')]), 'db:a:read; system:*:read');
    assert.equal(permissionsText(undefined), '*:*:*');
  });

  it('are refused with what is wrong', () => {
    for (const [text, told] of [
      ['db:a', /^'db:a' is not of the form RESOURCE_TYPE:RESOURCE_NAMES:ACTIONS/],
      ['db:a:read:x', /is not of the form/],
      ['', /is not of the form/],
      ['database:a:read', /^'database' is no resource type: there are db and system$/],
      ['constructor:a:read', /no resource type/],
      ['db:a:own', /^'own' cannot be done with db: there is read and write$/],
      ['db:a:', /^'' cannot be done with db/],
      ['db::read', /^'' is no name of a database$/],
      ['db:a b:read', /^'a b' is no name of a database$/],
      ['db:a/b/c:read', /no name of a database/],
      ['db:_internal:write', /^the database '_internal' can be read only$/],
      ['system:cpu:read', /^'cpu' is no system resource: there are health, metrics, ping, telemetry and \*$/],
      ['system:health:write', /^'write' cannot be done with system: there is read$/],
    ] as const) {
      assert.throws(() => parsePermission(text), { message: told }, text);
    }
    assert.throws(() => checkPermissions([]), { message: 'a resource token needs at least one permission' });
    const many = parsePermission(`db:${Array.from({ length: 501 }, (_, i) => `d${i}`).join(',')}:read`);
    assert.throws(() => checkPermissions([many, many]), { message: 'the permissions name 1002 resources, at most 1000 are possible' });
    checkPermissions([many]);
  });
});
