/** What a health check says of one part of a system. Pure. */

export interface Part {
  /** `log`, `job transactions`, `table transactions.raw`, … */
  readonly name: string
  readonly healthy: boolean
  /** What was seen, or what is wrong and what to do. */
  readonly detail: string
}

export const healthy = (name: string, detail: string): Part => ({ name, healthy: true, detail })
export const ill = (name: string, detail: string): Part => ({ name, healthy: false, detail })

/** For programs: whether all is well, the ill ones by name, and every part. */
export const partsJson = (parts: ReadonlyArray<Part>) => ({
  healthy: parts.every((part) => part.healthy),
  ill: parts.filter((part) => !part.healthy).map((part) => part.name),
  parts
})
