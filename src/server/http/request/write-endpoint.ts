import type { Access } from '../../../auth/index.ts';
import type { HttpReply } from '../response/http-reply.ts';
import type { BodySource } from './body.ts';

/** What a handler of a write needs of a request: fastify's requests and those of the raw lane have it. */
export interface WriteHttpRequest {
  readonly raw: BodySource;
  /** Target as the client sent it. */
  readonly originalUrl: string;
  readonly access: Access;
}

/** An endpoint for writes. */
export interface WriteEndpoint {
  /** Answers one write, on whichever lane it came. */
  answer(request: WriteHttpRequest, reply: HttpReply): Promise<HttpReply>;
  /** Throws when the target of a request is not in order, or not for this access, so that `answer` refuses it without reading the body. */
  checkTarget(originalUrl: string, access: Access): void;
}
