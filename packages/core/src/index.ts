export type { RecordBatch, RecordHeaders, PackedRecords } from "./record/RecordBatch.ts"
export { type CopyRange, makeCopyRange } from "./record/CopyRange.ts"
export { makeRecordBuilder, type RecordBuilder } from "./record/RecordBuilder.ts"
export type { Column, ColumnBatch, DecodeFailure, DecodeReason } from "./record/ColumnBatch.ts"
export { FaultPoint, faultPoint, type FaultPointName } from "./FaultPoint.ts"
export { Decimal, DecimalError, decimalPrecisionMax, unscaledText, type DecimalLiteral } from "./Decimal.ts"
export { Timestamp } from "./Timestamp.ts"
export { CalendarDate } from "./CalendarDate.ts"
export { durationMs, parseDuration, type DurationText } from "./Duration.ts"
export { murmur2, partitionOf, partitionOfBytes } from "./Murmur2.ts"
export type { FieldSpec, FieldType, TextFormat } from "./schema/FieldType.ts"
export { Field, type OptionalField } from "./schema/Field.ts"
export { makeRecordMask, personalText } from "./schema/RecordMask.ts"
export { RecordShape } from "./schema/RecordShape.ts"
export { structOf } from "./schema/StructOf.ts"
export { Topic, type TopicOptions } from "./Topic.ts"
export { type NewObject, Storage, type StorageShape, type StoredObject, writeEach } from "./storage/Storage.ts"
export {
  HttpCallError,
  HttpCalls,
  type HttpCallAnswer,
  type HttpCallRequest,
  type HttpCallsShape
} from "./http/HttpCalls.ts"
export { StorageError } from "./storage/StorageError.ts"
export { DiskSync, layerLocal } from "./storage/LocalStorage.ts"
export { layerS3 } from "./storage/s3/S3Storage.ts"
export { s3Place } from "./storage/s3/S3Calls.ts"
export { s3LimitsDefault, type S3Limits, type S3Options } from "./storage/s3/S3Options.ts"
export { FileCache, type FileCacheOptions } from "./storage/cache/FileCache.ts"
export { layerMemory } from "./storage/MemoryStorage.ts"
export { localPath, normaliseUri } from "./storage/FileUri.ts"
export { Decoder } from "./decode/Decoder.ts"
export {
  originalBytesMax,
  originalLengthHeader,
  originalRecord,
  originalSha256Header
} from "./decode/OriginalRecord.ts"
export { expr, has, type Expr, type ExprResult, type Has } from "./expr/Expr.ts"
export { checkExpr, type CheckOptions } from "./expr/Check.ts"
export { formatProblem, type ExprProblem } from "./expr/Problem.ts"
export type { BoolNode, CheckedExpr, NumberNode, NumberType, TextNode } from "./expr/Tree.ts"
export { interpretCondition, interpretValue } from "./expr/Interpret.ts"
export { compileCell, compileCondition, compileValue } from "./expr/Compile.ts"
export { makeCodeScope, type CodeScope, type CollectingScope, type FieldAccess } from "./expr/Access.ts"
export { recordAccess } from "./expr/RecordAccess.ts"
export { columnAccess, type ColumnAccess } from "./expr/ColumnAccess.ts"
export { type KeyOf, KeyScanner, type RecordKeys } from "./decode/KeyScanner.ts"
export { makeKeyOf } from "./decode/KeyText.ts"
export { Encoder } from "./encode/Encoder.ts"
export { EncodeError } from "./encode/EncodeError.ts"
export { eventTimeEndMs } from "./decode/EventTimeWindow.ts"
