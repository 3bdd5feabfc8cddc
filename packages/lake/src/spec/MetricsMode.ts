/**
 * Which metrics a column of a data file gets: the table's properties `write.metadata.metrics.default` and
 * `write.metadata.metrics.column.<name>`, as Java's writers have them.
 *
 * Pure. Fewer metrics make manifests smaller and reads of that column's filters larger, never different.
 */
import type { StringMap } from "./JsonRead.ts"

/** What goes into manifests of a column; of its bounds at most so many code points or bytes. */
export type MetricsMode =
  | { readonly _tag: "None" }
  | { readonly _tag: "Counts" }
  | { readonly _tag: "Bounds"; readonly boundLengthMax: number }

/** By a column's full name. */
export type MetricsModes = (column: string) => MetricsMode

/** `full`. */
export const fullMetrics: MetricsMode = { _tag: "Bounds", boundLengthMax: Number.POSITIVE_INFINITY }

/** `truncate(16)`, Java's default. */
const truncated16: MetricsMode = { _tag: "Bounds", boundLengthMax: 16 }

/** Undefined for text that names no mode: another writer's mistake must not stop this one. */
const modeFromText = (text: string | undefined): MetricsMode | undefined => {
  const lower = text?.trim().toLowerCase()
  if (lower === "none") return { _tag: "None" }
  if (lower === "counts") return { _tag: "Counts" }
  if (lower === "full") return fullMetrics
  const length = Number(/^truncate\((\d{1,9})\)$/.exec(lower ?? "")?.[1] ?? 0)
  return length > 0 ? { _tag: "Bounds", boundLengthMax: length } : undefined
}

/** Of a table with these properties; what they do not say, or say wrongly, is `truncate(16)`. */
export const metricsModes = (properties: StringMap): MetricsModes => {
  const general = modeFromText(properties.get("write.metadata.metrics.default")) ?? truncated16
  return (column) => modeFromText(properties.get(`write.metadata.metrics.column.${column}`)) ?? general
}
