/** The key of a record of a topic without a known contract: one of its fields, named by a person. Pure. */
import type { KeyOf } from "@frazil/core"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text, or the whole number as text, under `field`; null for anything else. */
export const keyOfField =
  (field: string): KeyOf =>
  (bytes, start, end) => {
    try {
      const record: unknown = JSON.parse(utf8.decode(bytes.subarray(start, end)))
      if (typeof record !== "object" || record === null || !Object.hasOwn(record, field)) return null
      const value: unknown = Reflect.get(record, field)
      if (typeof value === "string") return value.isWellFormed() ? value : null
      return Number.isSafeInteger(value) ? String(value) : null
    } catch {
      // not UTF-8 or not JSON: such a record has no key
      return null
    }
  }
