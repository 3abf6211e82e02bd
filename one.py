import sys,time
path,name,eng,secs=sys.argv[1:5]
data=open(path,'rb').read()
if eng=='wt':
    import wasmtime
    if path.endswith('.wat'): data=wasmtime.wat2wasm(data.decode())
    e=wasmtime.Engine(); st=wasmtime.Store(e); g=wasmtime.Instance(st,wasmtime.Module(e,data),[]).exports(st)[name]; f=lambda n:g(st,n)
else:
    from purewasm import Runtime
    if path.endswith('.wat'):
        import wasmtime; data=bytes(wasmtime.wat2wasm(data.decode()))
    rt=Runtime(engine="compiler"); f=rt.instantiate(rt.compile(data)).exports[name]
n=int(sys.argv[5]); f(n); t=time.perf_counter(); k=0
while time.perf_counter()-t<float(secs): f(n); k+=1
print(eng,(time.perf_counter()-t)/k*1e3,'ms')
