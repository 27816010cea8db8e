export type * from './admin-service.ts';
export type {
  HttpDependencies,
  HttpLimits,
  HttpServer,
  ProductInfo,
  RoutePlugin,
  TlsSettings,
} from './dependencies.ts';
export { defaultHttpLimits } from './dependencies.ts';
export type { AuthInput, AuthVerdict, RequestAuthenticator } from './request-gate.ts';
export { buildHttpServer } from './server.ts';
