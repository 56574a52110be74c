"""Cameras and recording hosts that a host classroom has already: pulled by RTSP into the lessons taught there."""
