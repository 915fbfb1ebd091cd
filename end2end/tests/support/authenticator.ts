import { createHmac } from 'node:crypto';

const seconds = 30;

/** What an authenticator app does: RFC 6238, with SHA-1 and six digits. */
export class Authenticator {
  private readonly key: Buffer;

  constructor(secret: string) {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...secret.replaceAll(' ', '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'));
    const octets = bits.join('').match(/.{8}/g)!;
    this.key = Buffer.from(octets.map((octet) => parseInt(octet, 2)));
  }

  /** The code of the present step, or of one so many steps from it. */
  code(stepsFromNow = 0): string {
    const step = Buffer.alloc(8);
    step.writeBigInt64BE(BigInt(Math.floor(Date.now() / 1000 / seconds) + stepsFromNow));
    const hash = createHmac('sha1', this.key).update(step).digest();
    const offset = hash.at(-1)! & 0x0f;
    return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
  }
}
