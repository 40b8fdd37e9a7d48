const waiting: string[] = [];

/** Most messages read out one by one; more become a number. */
const MOST = 3;

/** Tells a screen reader, when it is done with what it says; messages close to each other come as one. */
export function announce(text: string): void {
  if (waiting.push(text) > 1) return;
  setTimeout(() => {
    const texts = waiting.splice(0);
    const said = texts.length > MOST ? [...texts.slice(-MOST), `and ${texts.length - MOST} more`] : texts;
    const place = document.getElementById('announcer');
    if (place !== null) place.textContent = said.join('. ');
  }, 1000);
}
