/**
 * A strict reader of Prometheus' text format, as `promtool check metrics` is: throws at the line that is wrong.
 *
 * Shares no code with what writes it.
 */

export interface Parsed {
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<{
    readonly name: string
    readonly labels: ReadonlyMap<string, string>
    readonly value: number
  }>
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y
const numberText = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]?Inf)$/

const labelsOf = (text: string | undefined): ReadonlyMap<string, string> => {
  const labels = new Map<string, string>()
  label.lastIndex = 0
  while (text !== undefined && label.lastIndex < text.length) {
    const found = label.exec(text)
    if (found === null) throw new Error(`labels: ${text}`)
    if (labels.has(found[1]!)) throw new Error(`label twice: ${text}`)
    labels.set(found[1]!, found[2]!)
  }
  return labels
}

/** A series' labels as text, whatever their order. */
const textOf = (labels: ReadonlyMap<string, string>, without?: string): string =>
  Array.from(labels, ([name, value]) => (name === without ? "" : `${name}=${value}`))
    .sort()
    .join()

const suffixes = ["_bucket", "_sum", "_count"]

const checkHistogram = (name: string, samples: Parsed["samples"]): void => {
  const seriesOf = (labels: ReadonlyMap<string, string>) => textOf(labels, "le").replace(/^,/, "")
  const buckets = new Map<string, Array<readonly [le: number, count: number]>>()
  for (const sample of samples.filter((each) => each.name === `${name}_bucket`)) {
    const le = sample.labels.get("le")
    if (le === undefined) throw new Error(`${name}: a bucket without le`)
    const series = seriesOf(sample.labels)
    buckets.set(series, [...(buckets.get(series) ?? []), [le === "+Inf" ? Infinity : Number(le), sample.value]])
  }
  for (const [series, all] of buckets) {
    const ordered = all.every(
      ([le, count], index) => index === 0 || (le > all[index - 1]![0] && count >= all[index - 1]![1])
    )
    const count = samples.find((each) => each.name === `${name}_count` && seriesOf(each.labels) === series)?.value
    const sum = samples.find((each) => each.name === `${name}_sum` && seriesOf(each.labels) === series)
    if (!ordered || all.at(-1)?.[0] !== Infinity || all.at(-1)?.[1] !== count || sum === undefined)
      throw new Error(`${name}: buckets of ${series} do not add up`)
  }
}

/** By name. Every family has HELP and TYPE, its samples in one place, no series twice; counters end in `_total`. */
export const parsePrometheus = (text: string): ReadonlyMap<string, Parsed> => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end")
  const families = new Map<string, Parsed & { samples: Array<Parsed["samples"][number]> }>()
  const series = new Set<string>()
  let name = ""
  let help = ""
  for (const line of text.slice(0, -1).split("\n")) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (head?.[1] === "HELP") {
      if (families.has(head[2]!)) throw new Error(`twice: ${line}`)
      name = head[2]!
      help = head[3]!
    } else if (head?.[1] === "TYPE") {
      const type = head[3]!
      if (head[2] !== name || families.has(name)) throw new Error(`TYPE without its HELP: ${line}`)
      if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`type: ${line}`)
      if ((type === "counter") !== name.endsWith("_total"))
        throw new Error(`counters, and they alone, end in _total: ${line}`)
      families.set(name, { type, help, samples: [] })
    } else {
      const found = sampleLine.exec(line)
      const family = families.get(name)
      if (found === null || family === undefined) throw new Error(`no sample: ${line}`)
      const names = family.type === "histogram" ? suffixes.map((suffix) => name + suffix) : [name]
      if (!names.includes(found[1]!)) throw new Error(`of another family than ${name}: ${line}`)
      if (!numberText.test(found[3]!)) throw new Error(`no number: ${line}`)
      const labels = labelsOf(found[2])
      const key = `${found[1]} ${textOf(labels)}`
      if (series.has(key)) throw new Error(`series twice: ${line}`)
      series.add(key)
      const value = found[3]!.endsWith("Inf") ? Infinity * (found[3]!.startsWith("-") ? -1 : 1) : Number(found[3])
      family.samples.push({ name: found[1]!, labels, value })
    }
  }
  for (const [each, { samples, type }] of families) {
    if (samples.length === 0) throw new Error(`${each} has no samples`)
    if (type === "histogram") checkHistogram(each, samples)
  }
  return families
}
