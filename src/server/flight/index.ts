export { FlightMetrics } from './flight-metrics.ts';
export { FlightService } from './flight-service.ts';
