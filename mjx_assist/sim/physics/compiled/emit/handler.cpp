// Tiles of walkers on XLA's threads, and the kernel's two entrances: XLA's, and a plain one for ctypes.
#ifdef XLA_HANDLER
#include "xla/ffi/api/c_api.h"
#endif

static void walk(const void *const *in, void *const *out, long first, long live, int substeps) {
  control_step((const T *const *)in, (T *const *)out, first, live, substeps);
}

extern "C" void mjx_assist_walk(const void *const *in, void *const *out, long walkers, int substeps) {
  for (long e = 0; e < walkers; e += W) walk(in, out, e, walkers - e < W ? walkers - e : W, substeps);
}

#ifdef XLA_HANDLER
// Work is taken tile by tile by whoever is free; the caller takes part, so it ends also where no thread ever comes.
struct Job {
  const void *in[INPUTS];
  void *out[OUTPUTS];
  long walkers, tiles;
  int substeps;
  long next, done, users;
};

static void leave(Job *job) {
  if (__atomic_sub_fetch(&job->users, 1, __ATOMIC_ACQ_REL) == 0) free(job);
}

static void work(Job *job) {
  long tile;
  while ((tile = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) < job->tiles) {
    long first = tile * W, left = job->walkers - first;
    walk(job->in, job->out, first, left < W ? left : W, job->substeps);
    __atomic_fetch_add(&job->done, 1, __ATOMIC_RELEASE);
  }
}

static void task(void *data) {
  work((Job *)data);
  leave((Job *)data);
}

static XLA_FFI_Error *refuse(XLA_FFI_CallFrame *call, const char *message) {
  XLA_FFI_Error_Create_Args error = {sizeof(error), nullptr, message, XLA_FFI_Error_Code_INVALID_ARGUMENT};
  return call->api->XLA_FFI_Error_Create(&error);
}

static int number(XLA_FFI_CallFrame *call, const char *name) {
  for (long i = 0; i < call->attrs.size; i++) {
    XLA_FFI_ByteSpan *found = call->attrs.names[i];
    if (found->len == __builtin_strlen(name) && !__builtin_memcmp(found->ptr, name, found->len))
      return *(int32_t *)((XLA_FFI_Scalar *)call->attrs.attrs[i])->value;
  }
  return 0;
}

extern "C" XLA_FFI_Error *mjx_assist_handler(XLA_FFI_CallFrame *call) {
  if (call->extension_start && call->extension_start->type == XLA_FFI_Extension_Metadata) {
    XLA_FFI_Metadata *metadata = ((XLA_FFI_Metadata_Extension *)call->extension_start)->metadata;
    metadata->api_version =
        XLA_FFI_Api_Version{XLA_FFI_Api_Version_STRUCT_SIZE, nullptr, XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR};
    metadata->traits = 0;
    metadata->state_type_id = XLA_FFI_UNKNOWN_TYPE_ID;
    return nullptr;
  }
  if (call->args.size != INPUTS || call->rets.size != OUTPUTS) return refuse(call, "not this kernel's arguments");
  Job *job = (Job *)malloc(sizeof(Job));
  if (!job) return refuse(call, "no memory");
  XLA_FFI_Buffer *first = (XLA_FFI_Buffer *)call->args.args[0];
  job->walkers = 1;
  for (long i = 0; i + 1 < first->rank; i++) job->walkers *= first->dims[i];
  for (int i = 0; i < INPUTS; i++) job->in[i] = ((XLA_FFI_Buffer *)call->args.args[i])->data;
  for (int i = 0; i < OUTPUTS; i++) job->out[i] = ((XLA_FFI_Buffer *)call->rets.rets[i])->data;
  job->tiles = (job->walkers + W - 1) / W;
  job->substeps = number(call, "substeps");
  job->next = job->done = 0;
  int64_t threads = 1;
  XLA_FFI_ThreadPool_NumThreads_Args count = {sizeof(count), nullptr, call->ctx, &threads};
  if (XLA_FFI_Error *error = call->api->XLA_FFI_ThreadPool_NumThreads(&count)) {
    XLA_FFI_Error_Destroy_Args forget = {sizeof(forget), nullptr, error};
    call->api->XLA_FFI_Error_Destroy(&forget);
    threads = 1;
  }
  int most = number(call, "threads");
  if (most > 0 && threads > most) threads = most;
  long helpers = (threads < job->tiles ? threads : job->tiles) - 1;
  job->users = 1 + helpers;
  for (long i = 0; i < helpers; i++) {
    XLA_FFI_ThreadPool_Schedule_Args one = {sizeof(one), nullptr, call->ctx, task, job};
    if (XLA_FFI_Error *error = call->api->XLA_FFI_ThreadPool_Schedule(&one)) {
      XLA_FFI_Error_Destroy_Args forget = {sizeof(forget), nullptr, error};
      call->api->XLA_FFI_Error_Destroy(&forget);
      leave(job);
    }
  }
  work(job);
  while (__atomic_load_n(&job->done, __ATOMIC_ACQUIRE) < job->tiles) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  leave(job);
  return nullptr;
}
#endif
