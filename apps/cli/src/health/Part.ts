/** What a health check says of one part of a system. Pure. */
import { textTable } from "../print/TextTable.ts"

export interface Part {
  /** `log`, `job transactions`, `table transactions.raw`, … */
  readonly name: string
  readonly healthy: boolean
  /** What was seen, or what is wrong and what to do. */
  readonly detail: string
}

export const healthy = (name: string, detail: string): Part => ({ name, healthy: true, detail })
export const ill = (name: string, detail: string): Part => ({ name, healthy: false, detail })

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

export const partsJson = (parts: ReadonlyArray<Part>) => ({
  healthy: parts.every((part) => part.healthy),
  ill: parts.filter((part) => !part.healthy).map((part) => part.name),
  parts
})
