/**
 * How long state is kept where Nexmark asks for no end: longer than any data's span, so that nothing is forgotten.
 *
 * What bounds state by number is as high, for the same reason.
 */
export const span = "36500 days"
export const recordsMax = 1_000_000_000

/** Pairs of a key whatever their times: a join without an end. */
export const everPaired = {
  lower: `-${span}`,
  upper: span,
  allowedLateness: span,
  recordsPerKeyMax: recordsMax,
  recordsHeldMax: recordsMax
} as const

/** Windows open at a time. */
export const openWindows = { windowsOpenPerKeyMax: recordsMax, windowsOpenMax: recordsMax } as const

/** Records that wait for the watermark; of an auction no more than three sequences are open at a time. */
export const openMatches = { recordsHeldMax: recordsMax } as const
