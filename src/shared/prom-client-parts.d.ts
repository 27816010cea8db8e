/** Files of prom-client that are loaded alone; the package declares the types of its entry only. */
declare module 'prom-client/lib/counter.js' {
  import type { Counter } from 'prom-client';

  const Class: typeof Counter;
  export default Class;
}

declare module 'prom-client/lib/gauge.js' {
  import type { Gauge } from 'prom-client';

  const Class: typeof Gauge;
  export default Class;
}

declare module 'prom-client/lib/histogram.js' {
  import type { Histogram } from 'prom-client';

  const Class: typeof Histogram;
  export default Class;
}

declare module 'prom-client/lib/registry.js' {
  import type { Registry } from 'prom-client';

  const Class: typeof Registry;
  export default Class;
}
