/**
 * What keys of late were found to have, by the bytes of the key: what spares the text of the key.
 *
 * Windows and patterns ask it first, and remember here what they then found by text; their map of keys is what counts. Bytes are
 * compared in words, four to the last byte of a key among them. **Bounds**: `slotsMax` keys, of `keyBytesMax` bytes
 * at most; one makes room for another. Where there are several times as many keys nothing is looked for.
 */

/** Numbers that a slot has: how long the key is, then its words. With them it fills a line of the processor's cache. */
const slotWords = 16
const keyBytesMax = (slotWords - 1) * 4

const slotsInitial = 512
export const slotsMax = 16_384
/** Of a window a key has a pane for each that is open; most have one or two. */
const slotsPerKey = 4

export interface RecentKeys<A> {
  /** What was put there for the bytes and the place; perhaps of another place, never of another key. */
  readonly find: (bytes: DataView, start: number, end: number, place: number) => A | undefined
  /** `keys`: how many there are. */
  readonly put: (bytes: DataView, start: number, end: number, place: number, found: A, keys: number) => void
  /** What was put there is no more. */
  readonly clear: () => void
}

/** The first four bytes, and as many of them as there are. */
const shortWord = (bytes: DataView, start: number, end: number): number => {
  let word = 0
  for (let at = start; at < end; at++) word = (word << 8) | bytes.getUint8(at)
  return word
}

const mixed = (hash: number, word: number): number => {
  const product = Math.imul(hash ^ word, 0x9e3779b1)
  return product ^ (product >>> 15)
}

/** Of the bytes and the place. */
const hashOf = (bytes: DataView, start: number, end: number, place: number): number => {
  let hash = mixed(end - start, place)
  const last = end - 4
  if (last < start) return mixed(hash, shortWord(bytes, start, end))
  for (let at = start; at < last; at += 4) hash = mixed(hash, bytes.getInt32(at, true))
  return mixed(hash, bytes.getInt32(last, true))
}

export const makeRecentKeys = <A>(): RecentKeys<A> => {
  let mask = slotsInitial - 1
  let words = new Int32Array(slotsInitial * slotWords)
  let founds = emptySlots<A>(slotsInitial)
  let idle = false

  const isKey = (slot: number, bytes: DataView, start: number, end: number): boolean => {
    let word = slot * slotWords
    if (words[word++] !== end - start) return false
    const last = end - 4
    if (last < start) return words[word] === shortWord(bytes, start, end)
    for (let at = start; at < last; at += 4) if (words[word++] !== bytes.getInt32(at, true)) return false
    return words[word] === bytes.getInt32(last, true)
  }
  const writeKey = (slot: number, bytes: DataView, start: number, end: number): void => {
    let word = slot * slotWords
    words[word++] = end - start
    const last = end - 4
    if (last < start) words[word] = shortWord(bytes, start, end)
    else {
      for (let at = start; at < last; at += 4) words[word++] = bytes.getInt32(at, true)
      words[word] = bytes.getInt32(last, true)
    }
  }
  const clear = () => void founds.fill(undefined)
  /** So many slots as so many keys need. */
  const fit = (keys: number): void => {
    idle = keys > slotsMax * 2
    const slots = mask + 1
    if (idle || slots === slotsMax || keys * slotsPerKey <= slots) return
    const wanted = Math.min(slotsMax, slots * 4)
    mask = wanted - 1
    words = new Int32Array(wanted * slotWords)
    founds = emptySlots(wanted)
  }

  return {
    find: (bytes, start, end, place) => {
      if (idle || end - start > keyBytesMax) return undefined
      const slot = hashOf(bytes, start, end, place) & mask
      const found = founds[slot]
      if (found === undefined) return undefined
      if (isKey(slot, bytes, start, end)) return found
      return isKey(slot ^ 1, bytes, start, end) ? founds[slot ^ 1] : undefined
    },
    put: (bytes, start, end, place, found, keys) => {
      fit(keys)
      if (idle || end - start > keyBytesMax) return
      const first = hashOf(bytes, start, end, place) & mask
      const slot = founds[first] === undefined || isKey(first, bytes, start, end) ? first : first ^ 1
      founds[slot] = found
      writeKey(slot, bytes, start, end)
    },
    clear
  }
}

const emptySlots = <A>(count: number): Array<A | undefined> =>
  Array.from<A | undefined>({ length: count }).fill(undefined)
