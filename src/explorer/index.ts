export { type ExplorerPage, explorerRoutes, openExplorer } from './routes.ts';
