/* What stays from one action to the next. */
#include "exec/workshop.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

struct workshop *workshop_new(struct groups *groups)
{
	struct workshop *shop = alloc(sizeof(*shop));

	*shop = (struct workshop){
		.place = WORK_PLACE_INIT, .groups = groups, .group = GROUP_INIT, .self = getpid()
	};
	return shop;
}

static void close_store(struct workshop *shop)
{
	/* What is staged is of it, and may lie over another. */
	sandbox_unstage(&shop->common.staging);
	work_place_deinit(&shop->place);
	shop->blobs = blobs_free(shop->blobs);
	free(shop->store_dir);
	shop->store_dir = NULL;
}

struct workshop *workshop_free(struct workshop *shop)
{
	close_store(shop);
	sandbox_common_deinit(&shop->common);
	group_release(&shop->group);
	free(shop);
	return NULL;
}

int workshop_use_store(struct workshop *shop, const char *store_dir, struct err *err)
{
	if (shop->store_dir && str_eq(shop->store_dir, store_dir))
		return 0;
	close_store(shop);
	if (blobs_open(store_dir, &shop->blobs, err) < 0)
		return -1;
	shop->store_dir = str_dup(store_dir);
	return 0;
}

int workshop_open_again(struct workshop *shop, struct err *err)
{
	shop->blobs = blobs_free(shop->blobs);
	return blobs_open(shop->store_dir, &shop->blobs, err);
}

int workshop_open_place(struct workshop *shop, struct err *err)
{
	return shop->place.name ? 0 : work_place_init(&shop->place, shop->store_dir, err);
}
