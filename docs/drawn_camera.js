/**
 * Stands in for the cameras and the microphone of a page while its picture is taken: a drawn classroom, slightly moving,
 * and a soft tone. `window.drawnScene` says which: `scene` of the first camera, `board` what stands on the blackboard,
 * `wall` the colour of the room, `talks` whether somebody speaks.
 */
(() => {
  const INK = "#2b2f36";
  const SKIN = ["#f0c9a0", "#e6b98c", "#f4d4b0"];
  const CLOTHES = ["#4d7ea8", "#c1666b", "#7a9e7e", "#d4a24e", "#6b6ba8", "#8a8f98"];
  const wanted = window.drawnScene;

  function person(pen, x, y, size, seed, turn) {
    pen.fillStyle = CLOTHES[seed % CLOTHES.length];
    pen.beginPath();
    pen.ellipse(x, y + size * 1.55, size * 1.05, size * 0.95, 0, Math.PI, 0);
    pen.fill();
    pen.fillStyle = SKIN[seed % SKIN.length];
    pen.beginPath();
    pen.ellipse(x + turn, y, size * 0.62, size * 0.72, 0, 0, 7);
    pen.fill();
    pen.fillStyle = INK;
    pen.beginPath();
    pen.ellipse(x + turn, y - size * 0.22, size * 0.66, size * 0.55, 0, Math.PI, 0);
    pen.fill();
    pen.fillRect(x + turn * 1.6 - size * 0.26, y + size * 0.08, size * 0.1, size * 0.1);
    pen.fillRect(x + turn * 1.6 + size * 0.16, y + size * 0.08, size * 0.1, size * 0.1);
  }

  function teacher(pen, width, height, time) {
    pen.fillStyle = "#24493f";
    pen.fillRect(width * 0.08, height * 0.1, width * 0.62, height * 0.56);
    pen.strokeStyle = "#8a6a45";
    pen.lineWidth = height * 0.022;
    pen.strokeRect(width * 0.08, height * 0.1, width * 0.62, height * 0.56);
    pen.fillStyle = "#eef2ea";
    pen.font = `${height * 0.085}px sans-serif`;
    wanted.board.forEach((line, row) => pen.fillText(line, width * 0.12, height * (0.24 + row * 0.12)));
    pen.fillStyle = "#b58b5a";
    pen.fillRect(0, height * 0.86, width, height * 0.14);
    person(pen, width * 0.8 + Math.sin(time) * width * 0.008, height * 0.42, height * 0.15, 1, Math.sin(time * 1.7) * 4);
    pen.fillStyle = "#a67c4d";
    pen.fillRect(width * 0.66, height * 0.74, width * 0.3, height * 0.14);
  }

  function pupils(pen, width, height, time) {
    pen.fillStyle = "#cfe3ee";
    for (const x of [0.06, 0.37, 0.68]) pen.fillRect(width * x, height * 0.07, width * 0.24, height * 0.24);
    for (let row = 0; row < 3; row++) {
      const many = 6 - row;
      const size = height * (0.055 + row * 0.022);
      const y = height * (0.42 + row * 0.2);
      for (let seat = 0; seat < many; seat++) {
        const x = (width * (seat + 0.5)) / many;
        const seed = row * 7 + seat * 3 + wanted.wall.length + wanted.seed;
        person(pen, x, y + Math.sin(time * 1.3 + seed) * size * 0.06, size, seed, Math.sin(time + seed) * size * 0.1);
      }
      pen.fillStyle = "#b58b5a";
      pen.fillRect(0, y + size * 1.35, width, size * 0.55);
    }
  }

  function camera(scene, width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    const paint = () => {
      pen.fillStyle = wanted.wall;
      pen.fillRect(0, 0, width, height);
      (scene === "teacher" ? teacher : pupils)(pen, width, height, performance.now() / 700);
    };
    paint();
    setInterval(paint, 100);
    return canvas.captureStream(10).getVideoTracks()[0];
  }

  function microphone() {
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = 190;
    volume.gain.value = wanted.talks ? 0.12 : 0;
    tone.connect(volume).connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
  }

  // the host's classroom has two cameras, the others one
  const known = ["first", "second"].slice(0, wanted.scene === "teacher" ? 2 : 1).map((id) => ({ kind: "videoinput", deviceId: id, groupId: "", label: id }));
  navigator.mediaDevices.enumerateDevices = async () => known;
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const tracks = [];
    if (audio) tracks.push(microphone());
    if (video) {
      const further = video.deviceId && video.deviceId.exact === "second";
      const scene = (wanted.scene === "teacher") === !further ? "teacher" : "pupils";
      const track = camera(scene, video.width.ideal, video.height.ideal);
      const settings = track.getSettings.bind(track);
      track.getSettings = () => ({ ...settings(), deviceId: further ? "second" : "first" });
      tracks.push(track);
    }
    return new MediaStream(tracks);
  };
})();
