export { SeriesIndex, type SeriesIndexOptions } from './series-index.ts';
export { LITTLE_ENDIAN, mixWord, WORD_MASKS } from './words.ts';
