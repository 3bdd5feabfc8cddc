/** Parts of a system and their health as text. Pure. */
import type { Part } from "@frazil/platform"
import { textTable } from "../print/TextTable.ts"

export const partLines = (parts: ReadonlyArray<Part>): ReadonlyArray<string> =>
  textTable<Part>(
    [
      { title: "PART", text: (part) => part.name },
      { title: "HEALTH", text: (part) => (part.healthy ? "ok" : "ILL") },
      { title: "", text: (part) => part.detail }
    ],
    parts
  )

/** Undefined when all is well; otherwise one line that names each ill part. */
export const illness = (parts: ReadonlyArray<Part>): string | undefined => {
  const names = parts.filter((part) => !part.healthy).map((part) => part.name)
  return names.length === 0 ? undefined : `ill: ${names.join(", ")} (${names.length} of ${parts.length} parts)`
}
