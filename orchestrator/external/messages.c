/* What all encoders of canonical messages share: digests, and packing into our buffers. */
#include "external/messages.h"

#include "base/alloc.h"

void message_digest_fill(struct message_digest *digest, const struct blob_ref *ref)
{
	kiln__v1__digest__init(&digest->message);
	digest->message.hash = digest_hex(&ref->digest, digest->hex);
	bug_on(ref->size > INT64_MAX);
	digest->message.size_bytes = (int64_t)ref->size;
}

bool message_digest_read(const Kiln__V1__Digest *message, struct blob_ref *ret)
{
	struct digest digest;

	if (!message || message->size_bytes < 0 || !digest_parse(message->hash, &digest))
		return false;
	ret->digest = digest;
	ret->size = (uint64_t)message->size_bytes;
	return true;
}

struct buf_target {
	ProtobufCBuffer base;
	struct buf *buf;
};

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *p)
{
	struct buf_target *target = (struct buf_target *)buffer;

	buf_add(target->buf, p, n);
}

void message_pack(const ProtobufCMessage *message, struct buf *buf)
{
	struct buf_target target = { { append }, buf };

	protobuf_c_message_pack_to_buffer(message, &target.base);
}
