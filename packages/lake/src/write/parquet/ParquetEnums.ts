/** Values of parquet.thrift's enums, and fields of its union LogicalType, as far as they are written or understood here. */

/** `Type`. */
export const PhysicalType = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6, fixed: 7 } as const
export const ConvertedType = { utf8: 0, decimal: 5, date: 6, timestampMicros: 10, int32: 17, int64: 18 } as const
export const LogicalType = { string: 1, decimal: 5, date: 6, time: 7, timestamp: 8, integer: 10, uuid: 14 } as const
/** `FieldRepetitionType`. */
export const Repetition = { required: 0, optional: 1, repeated: 2 } as const
export const Encoding = { plain: 0, plainDictionary: 2, rle: 3, rleDictionary: 8 } as const
export const PageType = { data: 0, dictionary: 2 } as const
/** `CompressionCodec`. */
export const Codec = { none: 0, gzip: 2, zstd: 6 } as const
