/** All that `npm run bench` measures, in order. */
import { DATA_PATH } from './data-path/lines.ts'
import { propagation } from './measure/propagation.ts'
import { projection } from './measure/projection.ts'
import { start } from './measure/start.ts'
import type { Measurement } from './measurement.ts'

export const MEASUREMENTS: readonly Measurement[] = [...DATA_PATH, propagation, projection, start]
