/* Builds, walks and frees complete binary trees of depth 4..n (n at most 17): pointers, recursion, a free list. */
#include "guest.h"

#define NODES (1 << 18)

typedef struct Node {
    struct Node *left, *right;
} Node;

static Node pool[NODES];
static Node *free_list;
static int32_t fresh;

static NOINLINE Node *build(int32_t depth) {
    Node *node = free_list;
    if (node)
        free_list = node->left;
    else
        node = &pool[fresh++];
    node->left = node->right = NULL;
    if (depth > 0) {
        node->left = build(depth - 1);
        node->right = build(depth - 1);
    }
    return node;
}

static NOINLINE int32_t count(const Node *node) {
    return node->left ? 1 + count(node->left) + count(node->right) : 1;
}

static NOINLINE void release(Node *node) {
    if (node->left) {
        release(node->left);
        release(node->right);
    }
    node->left = free_list;
    free_list = node;
}

EXPORT(run) int64_t run(int32_t n) {
    free_list = NULL;
    fresh = 0;
    uint64_t hash = MIX_SEED;
    for (int32_t depth = 4; depth <= n; depth += 2)
        for (int32_t round = 0; round < 1 << (n - depth); round++) {
            Node *tree = build(depth);
            hash = mix(hash, (uint64_t)count(tree));
            release(tree);
        }
    return (int64_t)hash;
}
