// A plain video call, for comparison: the camera's own track over WebRTC, shown on both sides, and nothing else. Python
// carries the two descriptions from one window to the other.
(() => {
  const ENCODING = { maxBitrate: 1_500_000, maxFramerate: 30 }; // as the studio's
  const connection = new RTCPeerConnection();

  function show(stream) {
    const video = document.createElement("video");
    Object.assign(video, { srcObject: stream, muted: true });
    video.style.height = "530px"; // as high as the avatar in the studio
    document.body.append(video);
    const next = () => video.requestVideoFrameCallback(next);
    next();
    return video.play();
  }

  /** What this side says of itself, once it knows all its addresses. */
  async function described() {
    await connection.setLocalDescription();
    if (connection.iceGatheringState !== "complete") {
      await new Promise((done) => connection.addEventListener("icecandidate", ({ candidate }) => candidate || done()));
    }
    return connection.localDescription.toJSON();
  }

  window.offered = async ({ width, height }) => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: 30 } });
    const [track] = stream.getVideoTracks();
    track.contentHint = "motion";
    connection.addTransceiver(track, { direction: "sendonly", sendEncodings: [ENCODING] });
    await show(stream);
    return described();
  };

  window.answered = async (offer) => {
    connection.ontrack = ({ track }) => show(new MediaStream([track]));
    await connection.setRemoteDescription(offer);
    return described();
  };

  window.accepted = (answer) => connection.setRemoteDescription(answer);
})();
