/** Prometheus' text format, version 0.0.4. */
import { PrometheusMetrics } from "effect/observability"

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Lines of one name. */
export type Family = string

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const sampleLine = (name: string, { labels, value }: Sample): string => {
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
  return `${name}${inside.length === 0 ? "" : `{${inside.join(",")}}`} ${value}\n`
}

/** Empty without samples: a name without values says nothing. */
export const family = (name: string, type: "counter" | "gauge", help: string, samples: ReadonlyArray<Sample>): Family =>
  samples.length === 0
    ? ""
    : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => sampleLine(name, sample)).join("")}`

/** What Effect's registry holds: measured in this process since it started. */
export const registered = PrometheusMetrics.format()
