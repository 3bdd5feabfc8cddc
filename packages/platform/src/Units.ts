/** Numbers, ages and sizes as people read them. Pure. */

const number = new Intl.NumberFormat("en-US")

/** `12,345`. */
export const count = (value: number | bigint): string => number.format(value)

/** `0.4 s`, `12 s`, `3 min`, `2.5 h`, `3.1 d`. */
export const age = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`
  return `${(seconds / 86_400).toFixed(1)} d`
}

const sizes = ["B", "KB", "MB", "GB", "TB"] as const

/** `512 B`, `1.4 KB`, `128 MB`: powers of 1,024. */
export const bytes = (value: number): string => {
  let size = value
  let unit = 0
  while (size >= 1024 && unit < sizes.length - 1) {
    size /= 1024
    unit++
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${sizes[unit]}`
}

/** `3 min ago`, `in 5.0 s`, or a dash. */
export const ago = (ms: number | undefined, nowMs: number): string => {
  if (ms === undefined) return "-"
  return ms > nowMs ? `in ${age(ms - nowMs)}` : `${age(nowMs - ms)} ago`
}

/** `1 record`, `2 records`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`
