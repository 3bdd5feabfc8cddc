/** Makes fields of a Thrift tree, for whoever writes a part of a Parquet file's footer or a page's header. Pure. */
import { ThriftType, type ThriftField, type ThriftStruct, type ThriftValue } from "./Thrift.ts"

const utf8 = new TextEncoder()

export const i32 = (value: number): ThriftField => ({ type: ThriftType.I32, value })
export const i64 = (value: number): ThriftField => ({ type: ThriftType.I64, value })
export const binary = (value: Uint8Array | string): ThriftField => ({
  type: ThriftType.Binary,
  value: typeof value === "string" ? utf8.encode(value) : value
})
export const flag = (value: boolean): ThriftField => ({ type: value ? ThriftType.True : ThriftType.False, value })
export const struct = (fields: Readonly<Record<number, ThriftField | undefined>>): ThriftStruct =>
  new Map(Object.entries(fields).flatMap(([id, field]) => (field === undefined ? [] : [[Number(id), field] as const])))
export const structField = (value: ThriftStruct): ThriftField => ({ type: ThriftType.Struct, value })
export const nested = (fields: Readonly<Record<number, ThriftField | undefined>>): ThriftField =>
  structField(struct(fields))
export const listOf = (elementType: number, items: ReadonlyArray<ThriftValue>): ThriftField => ({
  type: ThriftType.List,
  value: { elementType, items }
})
