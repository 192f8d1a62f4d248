/* Frames between a rank and its launcher: what goes in comes out, and hostile bytes are refused. */
#include "tests/support/support.h"

#include "base/rng.h"
#include "trainer/frame.h"

#include <math.h>
#include <sys/socket.h>
#include <unistd.h>

static void make_pair(int pair[2]) { assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0); }

static void frames_come_out_as_sent(void **state)
{
	static const struct frame sent[] = {
		{.type = FRAME_PLAN, .index = 8, .count = UINT64_MAX},
		{.type = FRAME_STAGE, .index = 3, .count = 7, .value = -0.25, .text = {"running", 7}},
		{.type = FRAME_ROWS, .index = 255, .count = 12, .flag = true},
		{.type = FRAME_LOG, .text = {"a\0b", 3}},
		{.type = FRAME_SAVED},
	};
	char bytes[FRAME_BYTES_MAX];
	struct frame got;
	struct err e;
	int pair[2];
	(void)state;
	err_init(&e);
	make_pair(pair);
	for (size_t i = 0; i < ARRAY_COUNT(sent); i++) assert_ok(frame_send(pair[0], &sent[i], &e), &e);
	for (size_t i = 0; i < ARRAY_COUNT(sent); i++) {
		assert_int_equal(frame_receive(pair[1], true, bytes, &got), FRAME_READY);
		assert_int_equal(got.type, sent[i].type);
		assert_int_equal(got.index, sent[i].index);
		assert_true(got.count == sent[i].count && got.value == sent[i].value && got.flag == sent[i].flag);
		assert_true(str_eq(got.text, sent[i].text));
	}
	assert_int_equal(frame_receive(pair[1], false, bytes, &got), FRAME_NONE);
	close(pair[0]);
	assert_int_equal(frame_receive(pair[1], true, bytes, &got), FRAME_CLOSED);
	assert_false(frame_send(pair[1], &sent[0], &e));
	assert_int_equal(e.code, ERR_io);
	close(pair[1]);
}

static void long_texts_are_cut(void **state)
{
	static char text[FRAME_TEXT_MAX * 4];
	char bytes[FRAME_BYTES_MAX];
	struct frame got;
	struct err e;
	int pair[2];
	(void)state;
	err_init(&e);
	memset(text, 'x', sizeof text);
	make_pair(pair);
	assert_ok(frame_send(pair[0], &(struct frame){.type = FRAME_LOG, .text = {text, sizeof text}}, &e), &e);
	assert_int_equal(frame_receive(pair[1], true, bytes, &got), FRAME_READY);
	assert_int_equal(got.text.len, FRAME_TEXT_MAX);
	close(pair[0]);
	close(pair[1]);
}

/* Every truncation, every changed byte and random bytes: refused or a frame within its bounds, never a crash. */
static void hostile_bytes_are_refused(void **state)
{
	struct buf b = BUF_INIT(FRAME_BYTES_MAX);
	struct frame got;
	(void)state;
	frame_encode(&(struct frame){.type = FRAME_STAGE, .index = 1, .value = NAN, .text = {"running", 7}}, &b);
	assert_true(frame_decode(b.data, b.len, &got));
	for (size_t len = 0; len < b.len; len++) assert_false(frame_decode(b.data, len, &got));
	buf_char(&b, 0);
	assert_false(frame_decode(b.data, b.len, &got));
	for (size_t i = 0; i + 1 < b.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			b.data[i] ^= (char)(1 << bit);
			if (frame_decode(b.data, b.len - 1, &got))
				assert_true(got.type > 0 && got.type < FRAME_TYPE_END && got.text.len <= b.len);
			b.data[i] ^= (char)(1 << bit);
		}
	for (uint64_t seed = 0; seed < 2000; seed++) {
		unsigned char random[64];
		for (size_t i = 0; i < sizeof random; i++) random[i] = (unsigned char)rng_at(seed, i);
		(void)!frame_decode(random, seed % sizeof random, &got);
	}
	buf_release(&b);
}

static void a_packet_over_the_limit_is_malformed(void **state)
{
	static char large[FRAME_BYTES_MAX + 1];
	char bytes[FRAME_BYTES_MAX];
	struct frame got;
	int pair[2];
	(void)state;
	make_pair(pair);
	assert_int_equal(send(pair[0], large, sizeof large, 0), sizeof large);
	assert_int_equal(frame_receive(pair[1], true, bytes, &got), FRAME_MALFORMED);
	close(pair[0]);
	close(pair[1]);
}

static void errors_travel_whole(void **state)
{
	struct err from, to;
	struct buf text = BUF_INIT(FRAME_TEXT_MAX);
	(void)state;
	err_init(&from);
	err_fault(&from, "/pipeline/0/inputCol", "there is no column \"t\xc3\xa9xt\"");
	err_fault(&from, "/pipeline/1", "is wrong");
	err_set(&from, ERR_data, "two faults");
	frame_error_text(&from, &text);
	assert_true(buf_ok(&text));
	frame_error_read((struct str){text.data, text.len}, &to);
	assert_int_equal(to.code, ERR_data);
	assert_string_equal(to.detail, "two faults");
	assert_int_equal(to.fault_count, 2);
	assert_string_equal(to.faults[0].pointer, "/pipeline/0/inputCol");
	assert_string_equal(to.faults[0].detail, "there is no column \"t\xc3\xa9xt\"");
	assert_string_equal(to.faults[1].detail, "is wrong");
	for (size_t len = 0; len < text.len; len++) {
		frame_error_read((struct str){text.data, len}, &to);
		assert_int_equal(to.code, ERR_internal);
	}
	buf_release(&text);
}

static void the_largest_error_fits_a_frame(void **state)
{
	struct err from;
	struct buf text = BUF_INIT(FRAME_TEXT_MAX);
	char line[ERR_DETAIL_MAX];
	(void)state;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = 0;
	err_init(&from);
	for (int i = 0; i < 2 * ERR_FAULTS_MAX; i++) err_fault(&from, line, "%s", line);
	frame_error_text(&from, &text);
	assert_true(buf_ok(&text));
	buf_release(&text);
}

static void texts_are_made_clean(void **state)
{
	char controls[] = "a\x1b[31m\nb\x7f", broken[] = "caf\xc3 \xff", fine[] = "caf\xc3\xa9";
	(void)state;
	frame_text_clean(controls, strlen(controls));
	assert_string_equal(controls, "a [31m b ");
	frame_text_clean(broken, strlen(broken));
	assert_string_equal(broken, "caf? ?");
	frame_text_clean(fine, strlen(fine));
	assert_string_equal(fine, "caf\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_as_sent),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(a_packet_over_the_limit_is_malformed),
		cmocka_unit_test(errors_travel_whole),
		cmocka_unit_test(the_largest_error_fits_a_frame),
		cmocka_unit_test(texts_are_made_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
