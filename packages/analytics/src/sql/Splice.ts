/** Changes of a text, and where a place of the changed text was before. Pure. */

export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Spliced {
  readonly text: string
  /** The place in the text as it was. */
  readonly original: (at: number) => number
}

/** Applies changes that do not overlap. */
export const splice = (text: string, changes: ReadonlyArray<Splice>): Spliced => {
  const sorted = [...changes].sort((a, b) => a.start - b.start)
  let result = ""
  let at = 0
  const marks: Array<{ readonly from: number; readonly to: number; readonly shift: number }> = []
  for (const change of sorted) {
    result += text.slice(at, change.start)
    marks.push({
      from: result.length,
      to: result.length + change.text.length,
      shift: change.end - result.length - change.text.length
    })
    result += change.text
    at = change.end
  }
  result += text.slice(at)
  const original = (place: number): number => {
    let shift = 0
    for (const [index, mark] of marks.entries()) {
      if (place < mark.from) break
      if (place < mark.to) return sorted[index]?.start ?? place
      shift = mark.shift
    }
    return place + shift
  }
  return { text: result, original }
}

/** Line and column, from 1, of a place in a text. */
export const placeOf = (text: string, at: number): { readonly atLine: number; readonly atColumn: number } => {
  const before = text.slice(0, Math.max(0, at))
  const line = before.split("\n").length
  return { atLine: line, atColumn: before.length - before.lastIndexOf("\n") }
}

/** DuckDB counts places of errors of its parser in code points. */
export const indexOfCodePoint = (text: string, at: number): number => {
  let index = 0
  for (let point = 0; point < at && index < text.length; point++)
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
  return index
}

/** DuckDB counts places in trees in UTF-8 bytes. */
export const indexOfByte = (text: string, byte: number): number => {
  const bytes = new TextEncoder().encode(text)
  return new TextDecoder().decode(bytes.subarray(0, byte)).length
}
