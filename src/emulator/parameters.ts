/** Rules that every OAuth request keeps, whichever endpoint it is for. */

import { StsError } from "./sts_error.ts";

/** RFC 6749 §3.1, §3.2: a parameter must not be there more than once. @throws StsError 9002313. */
export function requireSingleValues(parameters: URLSearchParams): void {
  if (new Set(parameters.keys()).size !== parameters.size) throw new StsError(9002313);
}

/** RFC 6749 §3.1, §3.2: a parameter without a value counts as missing. @throws StsError 900144. */
export function requiredParameter(parameters: URLSearchParams, parameter: string): string {
  const value = parameters.get(parameter);
  if (!value) throw new StsError(900144, { parameter });
  return value;
}
