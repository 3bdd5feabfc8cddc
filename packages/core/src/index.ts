export type { RecordBatch, RecordHeaders, PackedRecords } from "./record/RecordBatch.ts"
export { makeRecordBuilder, type RecordBuilder } from "./record/RecordBuilder.ts"
export type { Column, ColumnBatch, DecodeFailure, DecodeReason } from "./record/ColumnBatch.ts"
export { FaultPoint, faultPoint, type FaultPointName } from "./FaultPoint.ts"
