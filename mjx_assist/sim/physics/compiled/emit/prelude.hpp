// What every kernel starts with: vectors of W walkers, their elementary functions, and a sphere on a heightfield.
// W, and F64 for 64 bits, are set by the command line; GCC's vector extension, which clang has too, does the rest.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#ifdef F64
typedef double T;
typedef int64_t TI;
#else
typedef float T;
typedef int32_t TI;
#endif
typedef T V __attribute__((vector_size(W * sizeof(T)), aligned(W * sizeof(T))));
typedef TI M __attribute__((vector_size(W * sizeof(T)), aligned(W * sizeof(T))));
#define INLINE static inline __attribute__((always_inline))

INLINE V all_of(T x) { V r = {}; return r + x; }
INLINE V vmin(V a, V b) { return a < b ? a : b; }
INLINE V vmax(V a, V b) { return a > b ? a : b; }
INLINE V vabs(V a) { return a < 0 ? -a : a; }

#if defined(__AVX512DQ__) && !defined(F64) && W == 16
INLINE V vsqrt(V a) { return (V)_mm512_sqrt_ps((__m512)a); }
INLINE V vround(V a) { return (V)_mm512_roundscale_ps((__m512)a, 8); }
INLINE bool every(M m) { return _mm512_movepi32_mask((__m512i)m) == 0xffff; }
#elif defined(__AVX512DQ__) && defined(F64) && W == 8
INLINE V vsqrt(V a) { return (V)_mm512_sqrt_pd((__m512d)a); }
INLINE V vround(V a) { return (V)_mm512_roundscale_pd((__m512d)a, 8); }
INLINE bool every(M m) { return _mm512_movepi64_mask((__m512i)m) == 0xff; }
#elif defined(__AVX__) && !defined(F64) && W == 8
INLINE V vsqrt(V a) { return (V)_mm256_sqrt_ps((__m256)a); }
INLINE V vround(V a) { return (V)_mm256_round_ps((__m256)a, 8); }
INLINE bool every(M m) { return _mm256_movemask_ps((__m256)m) == 0xff; }
#elif defined(__AVX__) && defined(F64) && W == 4
INLINE V vsqrt(V a) { return (V)_mm256_sqrt_pd((__m256d)a); }
INLINE V vround(V a) { return (V)_mm256_round_pd((__m256d)a, 8); }
INLINE bool every(M m) { return _mm256_movemask_pd((__m256d)m) == 0xf; }
#else
INLINE V vsqrt(V a) { V r; for (int i = 0; i < W; i++) r[i] = __builtin_sqrt(a[i]); return r; }
INLINE V vround(V a) { V r; for (int i = 0; i < W; i++) r[i] = __builtin_rint(a[i]); return r; }
INLINE bool every(M m) { TI r = -1; for (int i = 0; i < W; i++) r &= m[i]; return r != 0; }
#endif

// Sine and cosine: the angle less whole right angles, then a polynomial within half of one.
INLINE void vsincos(V x, V &sine, V &cosine) {
  V k = vround(x * (T)0.63661977236758134);
#ifdef F64
  V r = x - k * 1.5707963267948966 - k * 6.123233995736766e-17;
  V z = r * r;
  V s = r + r * z * (-1.66666666666666324348e-01 + z * (8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04
      + z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  V c = 1.0 - 0.5 * z + z * z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03
      + z * (2.48015872894767294178e-05 + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09
      - z * 1.13596475577881948265e-11)))));
#else
  V r = x - k * (T)1.5707962513;
  r = r - k * (T)7.549789948768648e-8;
  V z = r * r;
  V s = r + r * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
  V c = 1.0f - 0.5f * z
      + z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
#endif
  M quarter = __builtin_convertvector(k, M);
  M odd = (quarter & 1) != 0;
  V a = odd ? c : s, b = odd ? s : c;
  sine = (quarter & 2) != 0 ? -a : a;
  cosine = ((quarter + 1) & 2) != 0 ? -b : b;
}

// Angle of (x, y). In 32 bits a polynomial fitted to the arc tangent below 22.5 degrees (relative error 7e-10).
INLINE V vatan2(V y, V x) {
#ifdef F64
  V r;
  for (int i = 0; i < W; i++) r[i] = __builtin_atan2(y[i], x[i]);
  return r;
#else
  V big = vmax(vabs(x), vabs(y)), small = vmin(vabs(x), vabs(y));
  M folded = small > big * 0.41421356f;
  V t = (folded ? small - big : small) / vmax(folded ? small + big : big, all_of(1e-30f));
  V z = t * t;
  V a = t + t * z * (-0.33333315f + z * (0.19998442f + z * (-0.14243059f + z * (0.10590737f - z * 0.06071207f))));
  a = folded ? a + 0.78539816f : a;
  a = vabs(y) > vabs(x) ? 1.57079633f - a : a;
  a = x < 0 ? 3.14159265f - a : a;
  return y < 0 ? -a : a;
#endif
}

// A number of W walkers from rows of n numbers each, and back; beyond the last walker it is taken again.
INLINE V load(const T *x, long n, long live) {
  V r;
  for (int i = 0; i < W; i++) r[i] = x[(i < live ? i : live - 1) * n];
  return r;
}
INLINE void store(V a, T *x, long n, long live) {
  for (int i = 0; i < W; i++) if (i < live) x[i * n] = a[i];
}

#ifdef FIELD_ROWS
// The way out of the ground below a triangle for a sphere's centre at the origin: direction, length (negative inside).
// Corners a, b, c counterclockwise; see sim/physics/heightfields.py.
struct Out { V x, y, z, length; };
INLINE Out way_out(const V (&p)[3][3]) {
  V e[3][3];
  for (int i = 0; i < 3; i++) for (int k = 0; k < 3; k++) e[i][k] = p[(i + 1) % 3][k] - p[i][k];
  V n[3] = {e[0][1] * e[1][2] - e[0][2] * e[1][1], e[0][2] * e[1][0] - e[0][0] * e[1][2],
            e[0][0] * e[1][1] - e[0][1] * e[1][0]};
  V inverse = all_of(1) / vsqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (int k = 0; k < 3; k++) n[k] = n[k] * inverse;
  V height = -(p[0][0] * n[0] + p[0][1] * n[1] + p[0][2] * n[2]);
  M above = n[0] == n[0], over = above;
  V best = all_of((T)1e30), near[3] = {};
  for (int i = 0; i < 3; i++) {
    V q[3], o[3];
    for (int k = 0; k < 3; k++) q[k] = -n[k] * height - p[i][k];
    V side = (e[i][1] * q[2] - e[i][2] * q[1]) * n[0] + (e[i][2] * q[0] - e[i][0] * q[2]) * n[1]
        + (e[i][0] * q[1] - e[i][1] * q[0]) * n[2];
    above = above & (side >= 0);
    over = over & (e[i][1] * p[i][0] - e[i][0] * p[i][1] >= 0);
    // On the wall below this edge at the centre's height where the wall is that high, else on the edge itself.
    V flat = e[i][0] * e[i][0] + e[i][1] * e[i][1];
    V t = vmin(vmax(-(p[i][0] * e[i][0] + p[i][1] * e[i][1]) / flat, all_of(0)), all_of(1));
    for (int k = 0; k < 3; k++) o[k] = p[i][k] + t * e[i][k];
    M wall = o[2] > 0;
    V u = vmin(vmax(-(p[i][0] * e[i][0] + p[i][1] * e[i][1] + p[i][2] * e[i][2]) / (flat + e[i][2] * e[i][2]),
                    all_of(0)), all_of(1));
    for (int k = 0; k < 3; k++) o[k] = wall ? (k < 2 ? o[k] : all_of(0)) : p[i][k] + u * e[i][k];
    V d = o[0] * o[0] + o[1] * o[1] + o[2] * o[2];
    M closer = d < best;
    best = closer ? d : best;
    for (int k = 0; k < 3; k++) near[k] = closer ? o[k] : near[k];
  }
  V distance = vsqrt(best), scale = all_of(1) / vmax(distance, all_of((T)1e-15));
  M inside = over & (height < 0);
  M face = inside ? -height < distance : above & (height >= 0);
  scale = inside ? scale : -scale;
  return {face ? n[0] : scale * near[0], face ? n[1] : scale * near[1], face ? n[2] : scale * near[2],
          face ? height : (inside ? -distance : distance)};
}

// The four deepest touches of spheres at (x, y, z) with the field: distance and normal each; 1 m where there is none.
template <int CX, int CY>
INLINE void field_touches(const T *heights, V x, V y, V z, T radius, V (&out)[16]) {
  const T dx = FIELD_DX, dy = FIELD_DY;
  V first_x = (x - radius + (T)FIELD_HALF_X) * (1 / dx), first_y = (y - radius + (T)FIELD_HALF_Y) * (1 / dy);
  long node[W];
  V left, near;
  for (int i = 0; i < W; i++) {
    long c = (long)__builtin_floor(first_x[i]), r = (long)__builtin_floor(first_y[i]);
    c = c < 0 ? 0 : c > FIELD_COLUMNS - 1 - CX ? FIELD_COLUMNS - 1 - CX : c;
    r = r < 0 ? 0 : r > FIELD_ROWS - 1 - CY ? FIELD_ROWS - 1 - CY : r;
    node[i] = r * FIELD_COLUMNS + c;
    left[i] = c * dx - (T)FIELD_HALF_X;
    near[i] = r * dy - (T)FIELD_HALF_Y;
  }
  V h[CY + 1][CX + 1], highest = all_of((T)-1e30);
  for (int r = 0; r <= CY; r++) for (int c = 0; c <= CX; c++) {
    for (int i = 0; i < W; i++) h[r][c][i] = heights[node[i] + r * FIELD_COLUMNS + c];
    h[r][c] = h[r][c] * (T)FIELD_SCALE - z;
    highest = vmax(highest, h[r][c]);
  }
  for (int k = 0; k < 4; k++) {
    out[4 * k] = all_of(1);
    out[4 * k + 1] = out[4 * k + 2] = all_of(0);
    out[4 * k + 3] = all_of(1);
  }
  if (every(highest < -radius)) return;
  left = left - x;
  near = near - y;
  for (int r = 0; r < CY; r++) for (int c = 0; c < CX; c++) for (int upper = 0; upper < 2; upper++) {
    V p[3][3];
    const int column[3] = {c, c + 1, upper ? c : c + 1}, row[3] = {r, upper ? r + 1 : r, r + 1};
    for (int i = 0; i < 3; i++) {
      p[i][0] = left + column[i] * dx;
      p[i][1] = near + row[i] * dy;
      p[i][2] = h[row[i]][column[i]];
    }
    Out found = way_out(p);
    V now[4] = {found.length - radius, found.x, found.y, found.z};
    for (int k = 0; k < 4; k++) {  // insert by depth
      M deeper = now[0] < out[4 * k];
      for (int j = 0; j < 4; j++) {
        V moved = deeper ? out[4 * k + j] : now[j];
        out[4 * k + j] = deeper ? now[j] : out[4 * k + j];
        now[j] = moved;
      }
    }
  }
}
#endif
