/** Test vectors as files beside this one (`vectors/`), and their values as ours have them. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseJson, type JsonObject, type JsonValue } from "../../src/spec/Json.ts"
import { readList, readObject, type Read } from "../../src/spec/JsonRead.ts"
import type { SingleValue } from "../../src/spec/SingleValue.ts"
import type { PrimitiveType } from "../../src/spec/Type.ts"

export const vectorsFolder = join(import.meta.dirname, "vectors")

export const vectorBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(vectorsFolder, name)))

export const vectors = (name: string): JsonObject =>
  readObject(parseJson(readFileSync(join(vectorsFolder, name), "utf8")), name)

export const readAny: Read<JsonValue> = (value) => value ?? null

/** Rows of a list of lists. */
export const vectorRows = (file: JsonObject, key: string): ReadonlyArray<ReadonlyArray<JsonValue>> =>
  readList(file[key], key, (row, where) => readList(row, where, readAny))

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

/** A value of a vector: wide integers and unscaled decimals are text there, bytes hexadecimal. */
export const valueOf = (type: PrimitiveType, json: JsonValue | undefined): SingleValue => {
  switch (type._tag) {
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "decimal":
      return BigInt(String(json))
    case "fixed":
    case "binary":
      return bytesOf(String(json))
    case "float":
    case "double":
      return Number(json)
    default:
      // the rest stands in the file as it is here
      return json as SingleValue
  }
}
