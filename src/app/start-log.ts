import type { ServeConfig } from '../config/index.ts';
import type { Logger } from '../shared/logger.ts';
import type { ProductVersion } from '../shared/version.ts';
import { usableCores } from '../telemetry/index.ts';
import type { OpenStorage } from './storage.ts';

/** The log lines of a start and a stop that tools look for. */
export class StartLog {
  readonly #serve: Logger;
  readonly #server: Logger;
  readonly #catalog: Logger;

  constructor(logger: Logger) {
    this.#serve = logger.child('influxdb3_lib::commands::serve');
    this.#server = logger.child('influxdb3_server');
    this.#catalog = logger.child('influxdb3_catalog');
  }

  starting(config: ServeConfig, product: ProductVersion, processId: string): void {
    this.#serve.info('server starting', {
      node_id: config.node.id,
      git_hash: product.revision,
      version: product.version,
      uuid: processId,
      num_cpus: usableCores(),
      product_name: 'InfluxDB 3 Core',
    });
    this.#serve.info('Object Store', storeFields(config.store));
    if (config.store.tlsAllowInsecure) {
      this.#serve.warn('certificates of the object store are not checked (`--object-store-tls-allow-insecure`)');
    }
  }

  storageOpened(config: ServeConfig, { catalog, node, otherNodes }: OpenStorage): void {
    if (otherNodes.length > 0) {
      const fields = { node_id: config.node.id, other_nodes: otherNodes };
      this.#serve.warn('this node is new and empty, and the data directory has data of other nodes: --node-id chooses one', fields);
    }
    this.#catalog.info('catalog initialized', { catalog_uuid: catalog.uuid, instance_id: node.instanceId });
    if (!config.auth.enabled) {
      this.#serve.warn(
        'server started without auth (`--without-auth` switch), all token creation and regeneration of admin token endpoints are disabled',
      );
    } else if (config.auth.openPaths.length > 0) {
      this.#serve.info('setting up server with authz disabled for paths', { paths_without_authz: config.auth.openPaths });
    }
  }

  ready(startupMs: number, address: string): void {
    this.#server.info(`startup time: ${startupMs}ms`, { address });
  }

  stopped(elapsedMs: number): void {
    this.#serve.info('shutdown complete', { elapsed_ms: Math.round(elapsedMs) });
  }
}

function storeFields(store: ServeConfig['store']): Record<string, unknown> {
  const { bucket, cacheDir: cache_dir } = store;
  switch (store.kind) {
    case 'file':
      return { db_dir: store.dataDir, object_store_type: 'Directory' };
    case 's3':
      return { object_store_type: 'S3', bucket, endpoint: store.awsEndpoint ?? 'AWS', cache_dir };
    case 'azure':
      return { object_store_type: 'Azure', bucket, account: store.azureAccount, endpoint: store.azureEndpoint ?? 'Azure', cache_dir };
    case 'google':
      return { object_store_type: 'GCS', bucket, cache_dir };
    default:
      return { object_store_type: 'Memory' };
  }
}
