/* What a kernel module's object file says of itself: all that libkmod reads. */
__attribute__((section(".modinfo"), used)) static const char modinfo[] =
    "version=7.12\0srcversion=BBBB\0license="
    "Proprietary\0name=csagent";
