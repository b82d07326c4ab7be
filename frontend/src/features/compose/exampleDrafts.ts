/** Places to start from. Written for this page. None says how long: that is the served model's to suggest. */
import type { Draft } from "./draft";

export interface Example {
  id: "rain" | "neon" | "tide" | "harvest" | "moon";
  draft: Partial<Draft>;
}

export const EXAMPLES: readonly Example[] = [
  {
    id: "rain",
    draft: {
      mode: "vocal",
      promptMode: "tags",
      tags: ["Ballad", "Indie Pop", "Female Vocals", "Piano", "Strings", "Nostalgic", "Tender", "Slow Tempo"],
      lyrics: `[Verse]
The kettle sings before the street awakes
Your coat still hangs where winter let it fall
I count the raindrops that the gutter makes
And write your name in steam upon the wall

[Chorus]
Stay until the rain forgets our number
Stay until the lamps give up the night
Every little storm is only slumber
Turning over slowly into light

[Outro]
Slowly into light`,
    },
  },
  {
    id: "neon",
    draft: {
      mode: "instrumental",
      promptMode: "tags",
      tags: ["Synthwave", "Synth Lead", "Synth Bass", "Drum Machine", "Euphoric", "120 BPM", "Sidechain Compression"],
    },
  },
  {
    id: "tide",
    draft: {
      mode: "instrumental",
      promptMode: "natural",
      prompt:
        "A slow ambient piece for piano and soft pads, like a harbour before dawn: long reverb, distant bells, no drums, warm and a little lonely.",
    },
  },
  {
    id: "harvest",
    draft: {
      mode: "vocal",
      promptMode: "natural",
      prompt:
        "An upbeat folk song with a male voice, fingerpicked guitar, hand claps and a choir that joins in the chorus. Festive, like the last evening of the harvest.",
      lyrics: `[Verse]
We tied the wagons to the evening star
And rolled them home along the riverbed
My sister played a borrowed old guitar
The moon came down to hear what someone said

[Chorus]
Oh, clap for the barley, clap for the rye
Clap for the wind that was passing us by
Everyone home, and the barrels are dry
Sing till the morning, my friend`,
    },
  },
  {
    id: "moon",
    draft: {
      mode: "vocal",
      promptMode: "tags",
      tags: ["Mandopop", "Ballad", "Female Vocals", "Guzheng", "Piano", "Dreamy", "Romantic", "Slow Tempo"],
      lyrics: `[Verse]
窗外的月亮慢慢爬上屋檐
我把旧信折成一只小船
河水记得你笑的那一天
风却说它从来没有看见

[Chorus]
就让月光替我说晚安
就让小船漂过千里远
等到花开满了南岸
我们在桥边再见`,
    },
  },
];
