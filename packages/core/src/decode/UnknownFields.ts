/**
 * The fields of records that their topic does not declare, as JSON objects' texts: from the places where the scanner found
 * them, and from what the slow path kept.
 *
 * Made when somebody asks for them, and then for the whole batch: jobs do not, the landing does. Of fields with one name the
 * last counts, in the place of the first, as in the slow path's map.
 */
import type { Buffer } from "node:buffer"

/** Five numbers a field in `Columns.unknown`: its row, where its name's quotes start and end, where its value does. */
const numbersPerUnknown = 5

/** By row. Rows for which `gone` holds are left out: the slow path decided about them. */
export const unknownFields = (
  unknown: ReadonlyArray<number>,
  buffer: Buffer,
  gone: (row: number) => boolean
): Map<number, string> => {
  const texts = new Map<number, string>()
  const text = (at: number) => buffer.toString("utf8", unknown[at], unknown[at + 1])
  for (let at = 0; at < unknown.length;) {
    const row = unknown[at]!
    // a name without escapes stands in the record as it does in JSON text
    const members = new Map<string, string>()
    for (; unknown[at] === row; at += numbersPerUnknown) members.set(text(at + 1), text(at + 3))
    if (!gone(row)) texts.set(row, `{${Array.from(members, ([name, value]) => `${name}:${value}`).join(",")}}`)
  }
  return texts
}
