export { type CopiedNode, type CopyProgress, copyNode } from './copy-node.ts';
export { NodeDataError } from './errors.ts';
export { bucketPlace, directoryPlace, type NodePlace } from './node-place.ts';
export { garbageDoubt, type KindSummary, type NodeSurvey, removeGarbage, surveyNode } from './survey.ts';
