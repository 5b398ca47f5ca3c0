package gemm
import ("testing";"fmt";"hourglass/internal/isa";"hourglass/internal/kernel/gemm/tile";"hourglass/internal/kernel/peak";"hourglass/internal/par")
func BenchmarkTile(b *testing.B){
 kern:=tile.For(isa.AVX512)
 pool:=par.New(1)
 for _,c:=range []struct{m,k,n int}{{12,256,32},{24,256,32},{96,256,32},{384,256,32},{384,128,32},{384,192,32},{384,512,32}} {
  a:=tile.Align(make([]float32,c.m*c.k+64)); bb:=tile.Align(make([]float32,c.k*32+64)); cc:=make([]float32,c.m*1024)
  t:=&tile.Args{A:a,B:bb,C:cc,KStride:12,LDB:32,N:32,Taps:[]tile.Tap{{Len:c.k}},FromC:true}
  for r:=range c.m { t.Rows=append(t.Rows,r/12*12*c.k+r%12); t.CRows=append(t.CRows,r*1024)}
  b.Run(fmt.Sprint(c.m,"x",c.k),func(b *testing.B){ p:=0.0
   for i:=0;b.Loop();i++ { kern.Broadcast(t,c.m) }
   g:=2*float64(c.m*c.k*32)*float64(b.N)/b.Elapsed().Seconds()/1e9
   p=peak.MultiplyAdd(pool,isa.AVX512)/1e9
   b.ReportMetric(g,"GF"); b.ReportMetric(100*g/p,"%peak") })
 }
}
func BenchmarkSquare(b *testing.B){
 pool:=par.New(2)
 for _,n:=range []int{512,1024,2048} {
  p,_:=NewPlan(Shape{M:n,N:n,K:n},isa.AVX512)
  x,y,z:=make([]float32,n*n),make([]float32,n*n),make([]float32,n*n); for i:=range x{x[i]=1;y[i]=1;z[i]=1}
  sc:=make([]float32,p.Scratch(2))
  b.Run(fmt.Sprint(n),func(b *testing.B){ for b.Loop(){p.Run(pool,z,x,y,sc,Epilogue{})}; b.ReportMetric(2*float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9,"GF")})
 }
}
