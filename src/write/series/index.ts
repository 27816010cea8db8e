export { IdSlots } from './id-slots.ts';
export { SeriesIndex, type SeriesIndexOptions } from './series-index.ts';
export { TagLookup } from './tag-lookup.ts';
export { LITTLE_ENDIAN, mixWord, WORD_MASKS } from './words.ts';
