"""Files that came with messages, served on loopback in place of Discord's content network."""
import mimetypes
import struct

from simcord.backend.cdn import CdnStore

_PNG = b"\x89PNG\r\n\x1a\n"


class Cdn(CdnStore):
    """`base` is known when the bridge listens."""

    def __init__(self):
        super().__init__()
        self.base = ""
        self.files: dict[int, tuple[str, bytes]] = {}

    def store_attachment(self, attachment_id, channel_id, filename, data, description):
        """Discord keeps no blanks in names."""
        filename = filename.replace(" ", "_")
        kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        self.files[attachment_id] = (kind, data)
        url = f"{self.base}/attachments/{channel_id}/{attachment_id}/{filename}"
        attachment = {"id": str(attachment_id), "filename": filename, "size": len(data), "url": url, "proxy_url": url, "content_type": kind}
        if description is not None:
            attachment["description"] = description
        if data.startswith(_PNG) and len(data) >= 24:
            attachment["width"], attachment["height"] = struct.unpack(">II", data[16:24])
        return attachment
