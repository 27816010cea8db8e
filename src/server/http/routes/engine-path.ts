/** Where request plugins are reached. */
export const ENGINE_PREFIX = '/api/v3/engine/';
