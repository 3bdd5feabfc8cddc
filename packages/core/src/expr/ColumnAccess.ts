/**
 * Fields of a `ColumnBatch` as JavaScript text: what compiled expressions read in the engine's loops.
 *
 * The generated function has the batch in `batch` and the row in `i`; `prelude()` must stand at its start. A text is
 * compared with a literal where its bytes stand, length first, and searched there; a string is made only where an expression needs the text
 * itself, once a row. **Gotchas**: rows with `batch.wide[i] === 1` must go to the interpreter; rows with
 * `batch.valid[i] === 0` mean nothing.
 */
import { bytesCode } from "../BytesCode.ts"
import { shortTexts } from "../decode/ShortText.ts"
import type { RecordShape } from "../schema/RecordShape.ts"
import type { FieldSpec } from "../schema/FieldType.ts"
import type { CodeScope, FieldAccess } from "./Access.ts"
import { bytesEqual } from "./TextBytes.ts"

export interface ColumnAccess extends FieldAccess {
  /** Statements that bind what the code made so far reads. */
  readonly prelude: () => string
  /** Where a text's bytes stand: its start, −1 when it is null, and its end. */
  readonly range: (name: string) => readonly [start: string, end: string]
  /** A `DataView` of the bytes that texts stand in. */
  readonly view: () => string
  /** Names of the fields that the code made so far reads. */
  readonly reads: () => ReadonlySet<string>
}

/** Longer literals are compared in a loop. */
const unrolledBytesMax = 32

const encoder = new TextEncoder()

export const columnAccess = (shape: RecordShape, scope: CodeScope): ColumnAccess => {
  const bound = new Map<string, string>()
  const bind = (name: string, value: string): string => {
    bound.set(name, `const ${name} = ${value};`)
    return name
  }
  // only numbers from the shape enter the code, never a name
  const reads = new Set<string>()
  const column = (name: string): number => {
    const field: FieldSpec | undefined = shape.byName.get(name)
    if (field === undefined) throw new Error("compiled for another shape: an expression reads a field this one lacks")
    reads.add(name)
    return field.index
  }
  const values = (name: string) => {
    const index = column(name)
    return `${bind(`v${index}`, `batch.columns[${index}].values`)}[i]`
  }
  const starts = (index: number) => `${bind(`s${index}`, `batch.columns[${index}].starts`)}[i]`
  const ends = (index: number) => `${bind(`e${index}`, `batch.columns[${index}].ends`)}[i]`
  const view = () => bind("view", "new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)")
  return {
    prelude: () => [...bound.values()].join("\n"),
    range: (name) => {
      const index = column(name)
      return [starts(index), ends(index)]
    },
    view,
    reads: () => reads,
    number: values,
    unscaled: values,
    boolean: values,
    text: (name) => {
      const index = column(name)
      starts(index)
      ends(index)
      const reader = scope.constant(cachedText)
      return `${bind(`t${index}`, `${reader}(batch.bytes, s${index}, e${index})`)}(i)`
    },
    textEquals: (name, literal) => {
      const index = column(name)
      const start = starts(index)
      const wanted = encoder.encode(literal)
      const tests = [`${ends(index)} - ${start} === ${wanted.length}`]
      // a text that is null has no length either
      if (wanted.length === 0) tests.push(`${start} >= 0`)
      else if (wanted.length > unrolledBytesMax) {
        tests.push(
          `${scope.constant(bytesEqual)}(${bind("bytes", "batch.bytes")}, ${start}, ${scope.constant(wanted)})`
        )
      } else {
        tests.push(...bytesCode(wanted, { bytes: bind("bytes", "batch.bytes"), view: view(), at: start }))
      }
      return `(${tests.join(" && ")})`
    },
    bytesPass: (name, test) => {
      const index = column(name)
      const start = starts(index)
      return `(${start} >= 0 && ${scope.constant(test)}(${bind("bytes", "batch.bytes")}, ${start}, ${ends(index)}))`
    },
    isNull: (name) => {
      const index = column(name)
      switch (shape.fields[index]!.type._tag) {
        case "Text":
        case "Json":
          return `(${starts(index)} < 0)`
        case "Boolean":
          return `(${values(name)} === 2)`
        default:
          return `(${values(name)} !== ${values(name)})`
      }
    }
  }
}

const cachedText = (bytes: Uint8Array, starts: Int32Array, ends: Int32Array): ((row: number) => string | null) => {
  const textOf = shortTexts(bytes)
  let cachedRow = -1
  let cached: string | null = null
  return (row) => {
    if (row === cachedRow) return cached
    cachedRow = row
    const start = starts[row]!
    return (cached = start < 0 ? null : textOf(start, ends[row]!))
  }
}
