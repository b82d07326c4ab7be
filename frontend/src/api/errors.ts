/** What can go wrong with a call, in a form the page can put into words. */

export class ApiError extends Error {
  /** The HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  /** The server's own sentence; empty when there is none. */
  readonly sentence: string;
  readonly field: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(options: {
    status: number;
    sentence: string;
    field?: string | null;
    retryAfterSeconds?: number | null;
    cause?: unknown;
  }) {
    super(options.sentence || `HTTP ${options.status}`, { cause: options.cause });
    this.name = "ApiError";
    this.status = options.status;
    this.sentence = options.sentence;
    this.field = options.field ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  static of(response: Response, body: unknown): ApiError {
    const read = (name: string): string | null => {
      const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : null;
      return typeof value === "string" ? value : null;
    };
    const retry = Number(response.headers.get("Retry-After") ?? Number.NaN);
    return new ApiError({
      status: response.status,
      sentence: read("error") ?? "",
      field: read("field"),
      retryAfterSeconds: Number.isFinite(retry) ? retry : null,
    });
  }
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Whether asking again later may help: no answer, or the server's own trouble. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

const ASK_AGAIN_MS = 5000;

/** For a query: when to ask again after a failure that may pass, so that the page mends itself. */
export function askAgain(error: unknown): number | false {
  return isPassing(error) ? ASK_AGAIN_MS : false;
}

const ADVICE = {
  0: "unreachable",
  401: "key",
  404: "gone",
  409: "conflict",
  413: "tooLarge",
  422: "invalid",
  429: "busy",
  507: "diskFull",
} as const;

export type Advice = (typeof ADVICE)[keyof typeof ADVICE] | "server" | "unknown";

/** Which words of the translations (problem.…) say what to do about an error. */
export function adviceFor(error: unknown): Advice {
  if (!(error instanceof ApiError)) return "unknown";
  if (Object.hasOwn(ADVICE, error.status)) return ADVICE[error.status as keyof typeof ADVICE];
  return error.status >= 500 ? "server" : "unknown";
}
