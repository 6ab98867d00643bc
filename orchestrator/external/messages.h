#ifndef KILN_EXTERNAL_MESSAGES_H
#define KILN_EXTERNAL_MESSAGES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "proto/kiln.pb-c.h"

/*
 * Kiln's canonical messages (proto/kiln.proto) by protobuf-c, which packs fields in ascending order
 * and omits defaults: the same message gives the same bytes. Only the model's encoders use this.
 */

/* A Digest message with the text it points to; do not move it once filled. */
struct message_digest {
	Kiln__V1__Digest message;
	char hex[DIGEST_HEX_SIZE];
};

void message_digest_fill(struct message_digest *digest, const struct blob_ref *ref);
/* False when the message is missing or no SHA-256 with a size. */
bool message_digest_read(const Kiln__V1__Digest *message, struct blob_ref *ret);
/* Packs onto the end of buf. */
void message_pack(const ProtobufCMessage *message, struct buf *buf);

#endif
