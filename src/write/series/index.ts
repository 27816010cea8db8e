export { SeriesIndex, type SeriesIndexOptions } from './series-index.ts';
export { TagLookup } from './tag-lookup.ts';
export { LITTLE_ENDIAN, mixWord, tagOfHash, WORD_MASKS } from './words.ts';
