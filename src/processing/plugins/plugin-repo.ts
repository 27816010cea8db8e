/** Where `gh:` plugins come from when `--plugin-repo` is not given. */
export const DEFAULT_PLUGIN_REPO = 'https://raw.githubusercontent.com/influxdata/influxdb3_plugins/main/';
