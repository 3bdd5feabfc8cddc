/** The words behind `bun run bench`: names of benchmarks, in any case, and options. What makes no sense is a `BenchError`. */
import { BenchError } from "./BenchError.ts"

const valued = [
  "--input",
  "--events",
  "--minutes",
  "--rows",
  "--commits",
  "--output",
  "--through",
  "--runs",
  "--peers"
] as const
const switches = ["--json", "--save", "--help"] as const

export type Valued = (typeof valued)[number]
type Switch = (typeof switches)[number]

export interface Arguments {
  /** In lower case, each once. */
  readonly names: ReadonlyArray<string>
  readonly values: Partial<Record<Valued, string>>
  readonly on: ReadonlySet<Switch>
}

/** One benchmark, or several: `lake` means `lake-append` and the others. */
const namedBy = (word: string, known: ReadonlyArray<string>): ReadonlyArray<string> =>
  known.includes(word) ? [word] : word === "lake" ? known.filter((name) => name.startsWith("lake-")) : []

export const parseArguments = (words: ReadonlyArray<string>, known: ReadonlyArray<string>): Arguments => {
  const names = new Set<string>()
  const values: Partial<Record<Valued, string>> = {}
  const on = new Set<Switch>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const option = valued.find((each) => each === word)
    const chosen = switches.find((each) => each === word)
    if (option !== undefined) {
      const value = words[++at]
      if (value === undefined || value.startsWith("--")) throw new BenchError(`${word} needs a value`)
      values[option] = value
    } else if (chosen !== undefined) on.add(chosen)
    else if (word.startsWith("-"))
      throw new BenchError(`no option ${word}: there are ${[...valued, ...switches].join(", ")}`)
    else {
      const named = namedBy(word.toLowerCase(), known)
      if (named.length > 0) for (const name of named) names.add(name)
      else throw new BenchError(`no benchmark ${word}: there are ${known.join(", ")}, nexmark`)
    }
  }
  return { names: [...names], values, on }
}

/** A whole number of at least 1. */
export const countOf = ({ values }: Arguments, option: Valued, fallback: number): number => {
  const text = values[option]
  if (text === undefined) return fallback
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new BenchError(`${option} takes a whole number of at least 1, found ${text}`)
  return Number(text)
}
