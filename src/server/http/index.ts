export type { AuthInput, AuthVerdict, RequestAuthenticator } from '../../auth/index.ts';
export type {
  HttpDependencies,
  HttpLimits,
  HttpServer,
  ProductInfo,
  RoutePlugin,
  TlsSettings,
} from './dependencies.ts';
export { defaultHttpLimits } from './dependencies.ts';
export { RecoveryListener, type RecoveryListenerOptions } from './recovery-listener.ts';
export { buildHttpServer } from './server.ts';
