// All that the page says about expressions, prompts and problems.

export const EXPRESSIONS = {
  neutral: "Neutral",
  happiness: "Happiness",
  sadness: "Sadness",
  surprise: "Surprise",
  fear: "Fear",
  disgust: "Disgust",
  anger: "Anger",
  contempt: "Contempt",
};

/** A circle that fills a drawing of 24 by 24. */
export const ROUND = "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19z";

const FACE = `${ROUND}M9 9.3v1M15 9.3v1`;
const OPEN_MOUTH = "M12 13a2.2 2.6 0 1 0 0 5.2 2.2 2.6 0 0 0 0-5.2z";

/** What a challenge asks, how it is done, and a small drawing of it. */
export const PROMPTS = {
  neutral: ["Relax your face", "Look straight ahead, mouth closed.", `${FACE}M9 15.5h6`],
  happiness: ["Smile", "A broad smile, teeth showing.", `${FACE}M8 14c2 3.6 6 3.6 8 0z`],
  sadness: ["Look sad", "Corners of the mouth down, inner brows up.", `${FACE}M8.5 16.5c2-2.3 5-2.3 7 0`],
  surprise: ["Look surprised", "Brows up, mouth wide open.", `${FACE}M8 6.6l2-.6M16 6.6l-2-.6${OPEN_MOUTH}`],
  fear: ["Look frightened", "Eyes wide, lips drawn back.", `${FACE}M8 15.5l1.6-1 1.6 1 1.6-1 1.6 1 1.6-1`],
  disgust: ["Look disgusted", "Wrinkle your nose, upper lip up.", `${FACE}M8.5 16c1.5-1.6 3-.2 4-.6s1.7-1.4 3-.4`],
  anger: ["Look angry", "Brows down and together, lips tight.", `${FACE}M8 6.8l2.5 1M16 6.8l-2.5 1M9 16h6`],
  contempt: ["Look scornful", "One corner of the mouth up.", `${FACE}M9 15.8c2.5 0 4.5-.3 6-1.5`],
};

/** What to show while photos are taken, one after the other. */
export const GUIDES = [
  "Look straight ahead, face relaxed",
  "Smile",
  "Turn your head a little to the left",
  "A little to the right",
  "Look surprised",
];

export const REFUSALS = {
  "no single face was seen": "No single face was seen. Be alone in the picture, with light on your face.",
  "the prompts were not completed in time": "That face and all the expressions were not seen together in time.",
};

const PROBLEMS = {
  unreachable: () => "The service cannot be reached. Is it running, and are you connected?",
  key_required: () => "The service asks for an API key.",
  role_insufficient: () => "This API key does not allow that. Ask the operator for another one.",
  person_not_found: () => "Nobody of this name is enrolled.",
  person_exists: () => "Somebody of this name is enrolled already. Choose another name, or add photos to that person.",
  person_locked: (problem) => `Too many attempts without success. Try again in ${duration(problem.retryAfter)}.`,
  body_too_large: () => "The photos are too large together. Use fewer of them.",
  photo_unusable: () => "This photo cannot be read. Use an intact JPEG, PNG or WebP photo.",
  no_photo_enrolled: () => "None of the photos can be used. Each one says why; discard it and take another.",
  rate_exceeded: () => "The service is asked too often. Wait a moment and try again.",
  busy: () => "The service has too much to do right now. Try again in a moment.",
  internal: (problem) => `The service failed. Tell its operator this number: ${problem.request}`,
};

/** What went wrong, as a sentence for people. */
export function sentence(problem) {
  return PROBLEMS[problem.code]?.(problem) ?? asSentence(problem.message);
}

/** One of the service's clauses as a sentence. */
export function asSentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

export const count = (number, noun, nouns = `${noun}s`) => `${number} ${number === 1 ? noun : nouns}`;

export const percent = (share) => `${Math.round(100 * share)} %`;

export function duration(seconds) {
  return seconds < 90 ? count(Math.max(1, Math.ceil(seconds)), "second") : `${Math.ceil(seconds / 60)} minutes`;
}

export function day(time) {
  return new Date(time).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
}
